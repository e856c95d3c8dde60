-- +goose Up
DROP TABLE IF EXISTS notices_17;
