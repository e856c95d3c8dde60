-- +goose Up
DROP TABLE IF EXISTS attempts_17;
