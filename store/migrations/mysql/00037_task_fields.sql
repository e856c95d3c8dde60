-- +goose Up
-- It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'task_versions' AND column_name = 'fields') = 0,
    'ALTER TABLE task_versions ADD COLUMN fields MEDIUMTEXT NOT NULL', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
