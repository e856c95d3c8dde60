-- +goose Up
-- The jurisdiction's seq after the plan that fired the step, 0 where it is not known. It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'steps' AND column_name = 'seq') = 0,
    'ALTER TABLE steps ADD COLUMN seq BIGINT NOT NULL DEFAULT 0', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
