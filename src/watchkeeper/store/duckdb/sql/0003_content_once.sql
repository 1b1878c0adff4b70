-- What the attributes repeat of input and output, as store/once.py notes it; NULL where they are whole.
ALTER TABLE spans ADD COLUMN pieces VARCHAR;

-- The last entry of the journal that is in this file; one row (store/duckdb/journal.py).
CREATE TABLE journal (
    folded UBIGINT NOT NULL
);
INSERT INTO journal VALUES (0);
