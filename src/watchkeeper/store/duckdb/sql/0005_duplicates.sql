-- The span that is counted in place of this one: both tell one call, by two instrumentations.
ALTER TABLE spans ADD COLUMN duplicate_of VARCHAR;
