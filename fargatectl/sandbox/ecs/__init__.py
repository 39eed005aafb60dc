"""An ECS of our own: keeps every field that a client sends, answers in AWS's canonical form, and lets tasks live.

`state` holds what there is; `clusters`, `definitions`, `services`, `rollouts` and `tasks` are the operations;
`scheduler` keeps services at their desired count and rolls deployments; `lifecycle` walks a task through its states;
`fates` decides, from the account around a task and from its image's tag, what becomes of it.
"""
