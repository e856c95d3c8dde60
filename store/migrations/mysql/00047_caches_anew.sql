-- +goose Up
-- The cached columns lack one that is new. No hash is the empty one, so the next run computes them all.
UPDATE jurisdictions SET caches = '';
