-- +goose Up
-- final_from is a cached column, has_holds says that there are rows of the obligation in holds.
-- It may be run again, after the table was changed as well as before.
SET @alter_table = IF(
    (SELECT count(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'obligations' AND column_name = 'final_from') = 0,
    'ALTER TABLE obligations ADD COLUMN final_from DATE, ADD COLUMN has_holds BOOLEAN NOT NULL DEFAULT FALSE, ADD INDEX obligations_final (jurisdiction, final_from, plan, row_code, role, owes, state), ADD INDEX obligations_due (jurisdiction, effective, kind), ADD INDEX obligations_due_now (jurisdiction, now_effective, kind)', 'DO 0');
PREPARE alter_table FROM @alter_table;
EXECUTE alter_table;
DEALLOCATE PREPARE alter_table;
