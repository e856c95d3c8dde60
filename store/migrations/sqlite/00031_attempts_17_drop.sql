-- +goose Up
DROP TABLE attempts_17;
