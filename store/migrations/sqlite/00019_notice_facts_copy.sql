-- +goose Up
INSERT INTO notice_facts (dated, notice, facts)
SELECT logical_date, id, facts FROM notices WHERE id NOT IN (SELECT notice FROM notice_facts);
