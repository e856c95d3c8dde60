-- +goose Up
-- The day on which a letter is served that leaves, or is said to have arrived, on a later day than its own.
CREATE TABLE late_service (
    notice TEXT NOT NULL,
    on_date TEXT NOT NULL,
    PRIMARY KEY (notice)
) STRICT;
