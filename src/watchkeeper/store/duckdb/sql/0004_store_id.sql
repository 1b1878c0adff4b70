-- Which store this is. Its journal says the same; one that says another is not taken (store/duckdb/journal.py).
CREATE TABLE identity (
    store VARCHAR NOT NULL
);
INSERT INTO identity VALUES (uuid()::VARCHAR);
