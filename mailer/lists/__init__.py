"""What a person joins: lists, their topics, the forms, and the exact wording shown, by version."""
