-- +goose Up
-- When the clock was to start a run. It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'runs' AND column_name = 'due') = 0,
    'ALTER TABLE runs ADD COLUMN due DATETIME(3)', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
