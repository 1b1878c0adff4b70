-- Traces that were erased: only a hash, kept for a while so that a late resend does not bring one back.
CREATE TABLE erased (
    trace_hash UBIGINT NOT NULL,
    erased_at BIGINT NOT NULL,
    revision BIGINT NOT NULL
);

-- When rows were first erased whose bytes the file may still hold. Not copied when the file is written anew.
CREATE TABLE reclaim_due (
    since BIGINT NOT NULL
);
