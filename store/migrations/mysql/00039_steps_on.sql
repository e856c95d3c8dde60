-- +goose Up
-- It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'steps' AND index_name = 'steps_on') = 0,
    'ALTER TABLE steps ADD INDEX steps_on (jurisdiction, on_date)', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
