-- +goose Up
-- The jurisdiction's seq after the document last changed its state: what a digest written before could not know.
ALTER TABLE documents ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
