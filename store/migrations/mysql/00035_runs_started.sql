-- +goose Up
-- Not every server knows ADD INDEX IF NOT EXISTS. Each of these may be run again, after the index was made as well as before.
SET @make_index = IF(
    (SELECT count(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'runs' AND index_name = 'runs_started') = 0,
    'ALTER TABLE runs ADD INDEX runs_started (started)', 'DO 0');
PREPARE make_index FROM @make_index;
EXECUTE make_index;
DEALLOCATE PREPARE make_index;
