"""The style of report pages, light and dark."""

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24;
  background: #fff }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1rem; margin: 2rem 0 .5rem; border-bottom: 1px solid #8884 }
h1 span { font-size: .9rem; padding: .15rem .6rem; border-radius: 1rem; vertical-align: middle }
h1 .good { background: #1a7f37; color: #fff } h1 .bad { background: #b3261e; color: #fff }
.dim { color: #6a737d } p { margin: .3rem 0 } ul { margin: 0; padding-left: 1.1rem }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top; overflow-wrap: break-word }
th { font-weight: 600; color: #6a737d; white-space: nowrap } tr.bad td { color: #b3261e } tr.dim td { color: #6a737d }
table.time td:first-child { width: 4.5rem; color: #6a737d; white-space: nowrap }
dl { display: grid; grid-template-columns: 5.5rem 1fr; gap: .3rem 1rem; margin: .8rem 0; padding: .8rem 1rem;
  border-left: 3px solid #b3261e; background: #8881 }
dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
pre { margin: 0; white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace }
figure { margin: .8rem 0 } svg { width: 100%; max-height: 8rem; background: #8881 }
span.new { color: #1a7f37 } span.old { color: #9a6700 } summary { cursor: pointer }
@media (prefers-color-scheme: dark) {
  body { color: #e6edf3; background: #0d1117 } .dim, th, tr.dim td, table.time td:first-child { color: #8b949e }
  tr.bad td { color: #ff7b72 } span.new { color: #3fb950 } span.old { color: #d29922 }
  path.new { stroke: #3fb950 } path.old { stroke: #d29922 }
}
"""
