-- +goose Up
-- What letters are made of. A letter is updated on its way, so its row is to be small. dated is the letter's logical
-- date: letters of one day lie together, however many were sent before.
CREATE TABLE notice_facts (
    dated TEXT NOT NULL,
    notice TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (dated, notice)
) STRICT;
