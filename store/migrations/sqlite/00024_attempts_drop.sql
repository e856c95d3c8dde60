-- +goose Up
DROP TABLE attempts;
