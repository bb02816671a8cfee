"""One module a surface: each says which updates are its own and hands them to the conversation."""
