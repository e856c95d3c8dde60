-- +goose Up
DROP TABLE notices;
