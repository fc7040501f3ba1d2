/** Films, as the npm package vega-datasets ships them, in three places: what they cost, what they earned, and what people think of them. */
import { readFileSync } from 'node:fs';
import { Double, MongoClient } from 'mongodb';
import mysql from 'mysql2/promise';
import { inRoot } from '../lib/project.mjs';

/** Two digits of a year are taken for one to come; the list was made in 2010. */
const LAST_YEAR = 2010;

/** Those of which the day, the cost and the earnings are known. Amounts are whole dollars. */
export const readFilms = () =>
  JSON.parse(readFileSync(inRoot('node_modules/vega-datasets/data/movies.json'), 'utf8'))
    .map((film) => ({
      title: typeof film.Title === 'string' ? film.Title : String(film.Title ?? ''),
      released: dayOf(film['Release Date']),
      budget: film['Production Budget'],
      worldwide: film['Worldwide Gross'],
      rating: film['IMDB Rating'],
      genre: film['Major Genre'],
    }))
    .filter(({ title, released, budget, worldwide }) => title && released && budget > 0 && worldwide > 0)
    .map((film, i) => ({ no: i + 1, ...film }));

/** `Jun 12 1998` as `1998-06-12`. */
function dayOf(text) {
  const date = new Date(`${text} UTC`);
  return Number.isNaN(date.getTime()) || date.getUTCFullYear() > LAST_YEAR
    ? undefined
    : date.toISOString().slice(0, 10);
}

export async function loadEarnings(url, films) {
  const client = await mysql.createConnection({ uri: url });
  try {
    await client.query('drop table if exists earnings');
    await client.query('create table earnings (film integer primary key, worldwide bigint not null)');
    await client.query('insert into earnings values ?', [films.map(({ no, worldwide }) => [no, worldwide])]);
  } finally {
    await client.end();
  }
}

export async function loadRatings(url, films) {
  const client = new MongoClient(url, { directConnection: true });
  try {
    const collection = client.db().collection('ratings');
    await collection.deleteMany({});
    await collection.insertMany(
      films.map(({ no, genre, rating }) => ({ _id: no, genre, rating: rating === null ? null : new Double(rating) })),
    );
  } finally {
    await client.close();
  }
}
