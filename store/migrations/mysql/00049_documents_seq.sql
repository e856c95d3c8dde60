-- +goose Up
-- The jurisdiction's seq after the document last changed its state: what a digest written before could not know. It may be
-- run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'documents' AND column_name = 'seq') = 0,
    'ALTER TABLE documents ADD COLUMN seq BIGINT NOT NULL DEFAULT 0', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
