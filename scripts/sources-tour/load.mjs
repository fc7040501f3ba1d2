/** 406 cars, as the npm package vega-datasets ships them, put into a table or collection `cars` of three kinds of databases. */
import { readFileSync } from 'node:fs';
import { MongoClient, Double } from 'mongodb';
import mysql from 'mysql2/promise';
import pg from 'pg';
import { inRoot } from '../lib/project.mjs';

const DOUBLES = ['miles_per_gallon', 'displacement', 'acceleration'];
const COLUMNS = ['id', 'name', 'cylinders', 'horsepower', 'weight_in_lbs', 'origin', 'built', ...DOUBLES];

export const readCars = () =>
  JSON.parse(readFileSync(inRoot('node_modules/vega-datasets/data/cars.json'), 'utf8')).map((car, i) => ({
    id: i + 1,
    name: car.Name,
    cylinders: car.Cylinders,
    horsepower: car.Horsepower,
    weight_in_lbs: car.Weight_in_lbs,
    origin: car.Origin,
    built: new Date(`${car.Year}T00:00:00Z`),
    miles_per_gallon: car.Miles_per_Gallon,
    displacement: car.Displacement,
    acceleration: car.Acceleration,
  }));

const table = (instant) =>
  `create table cars (id integer primary key, name varchar(100) not null, cylinders integer, horsepower integer, weight_in_lbs integer,
     origin varchar(20), built ${instant}, miles_per_gallon double precision, displacement double precision, acceleration double precision)`;

export async function loadPostgres(url, cars) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query('drop table if exists cars');
    await client.query(table('timestamptz'));
    await client.query('insert into cars select * from json_populate_recordset(null::cars, $1)', [
      JSON.stringify(cars),
    ]);
  } finally {
    await client.end();
  }
}

export async function loadMysql(url, cars) {
  const client = await mysql.createConnection({ uri: url, timezone: 'Z' });
  try {
    await client.query('drop table if exists cars');
    await client.query(table('datetime(3)'));
    const rows = cars.map((car) => COLUMNS.map((column) => car[column]));
    await client.query(`insert into cars (${COLUMNS.join()}) values ?`, [rows]);
  } finally {
    await client.end();
  }
}

export async function loadMongo(url, cars) {
  const client = new MongoClient(url, { directConnection: true });
  try {
    const collection = client.db().collection('cars');
    await collection.deleteMany({});
    await collection.insertMany(
      cars.map(({ id, ...car }) => ({
        _id: id,
        ...car,
        ...Object.fromEntries(DOUBLES.map((key) => [key, car[key] === null ? null : new Double(car[key])])),
      })),
    );
  } finally {
    await client.close();
  }
}
