-- +goose Up
DROP TABLE IF EXISTS attempts;
