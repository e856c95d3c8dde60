-- +goose Up
INSERT INTO attempts (dated, notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at, token, phase, code, enhanced, bytes, took_ms, worker, template, calendar, policy)
SELECT dated, notice, n, recipient, email, is_copy, outcome, reply, sha256, answered_at, '', '', 0, '', 0, 0, '', '', '', '' FROM attempts_17
WHERE notice NOT IN (SELECT notice FROM attempts);
