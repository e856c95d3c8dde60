-- +goose Up
DROP TABLE notices_17;
