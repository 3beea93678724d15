-- Run once, on an empty volume; the production log's database is made by POSTGRES_DB.
CREATE DATABASE mlflow;
CREATE DATABASE prefect;
