"""An index on Milvus: the same articles and answers as in a folder, for archives beyond one machine.

    NAME                      an alias: the head of the current generation, moved in one step
    NAME_000001_head          one row: counts, manifest, and which rows of the others are committed
    NAME_000001_passages      passages with vectors, terms (sparse vectors) and what filters look at
    NAME_000001_articles      articles: a card of metadata, the text in parts
    NAME_000001_files         the files that were read
    NAME_000001_terms         in how many passages each term occurs, by bucket; and changes not yet folded in
    NAME_lease, NAME_lease_7  who may write

Milvus has no transactions. Rows are therefore numbered and never changed: a commit adds rows beyond those
that the head counts, then replaces the head, which makes all of them visible at once and retires the rows
that they replace, and only then deletes the retired ones. Whatever a crash leaves is beyond the head or
retired in it: readers pass over it, the next writer clears it away.
"""
