"""From values of the model to what is read: text for people, JSON for machines, Markdown for pull requests."""
