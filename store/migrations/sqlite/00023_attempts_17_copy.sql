-- +goose Up
INSERT INTO attempts_17 (dated, notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at)
SELECT logical_date, notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at FROM attempts JOIN notices_17 ON id = notice
WHERE notice NOT IN (SELECT notice FROM attempts_17);
