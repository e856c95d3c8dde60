-- +goose Up
-- What letters are made of. A letter is updated on its way, so its row is to be small. dated is the letter's logical
-- date: letters of one day lie together, however many were sent before.
CREATE TABLE IF NOT EXISTS notice_facts (
    dated DATE NOT NULL,
    notice VARCHAR(64) NOT NULL,
    facts MEDIUMTEXT NOT NULL,
    PRIMARY KEY (dated, notice)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin ROW_FORMAT=DYNAMIC;
