-- +goose Up
-- It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'events' AND column_name = 'figures') = 0,
    'ALTER TABLE events ADD COLUMN figures MEDIUMTEXT NOT NULL, ADD COLUMN is_nil BOOLEAN NOT NULL DEFAULT FALSE', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
