import { Inject, Injectable } from '@nestjs/common';
import { must, type Id } from '../../../../common/index.js';
import { APP_CONFIG, type AppConfig } from '../../../../config/index.js';
import { MiniDbViews } from '../../../../engines/index.js';
import type { Places, ViewPlace, ViewTable } from '../../../../query/index.js';
import { ExternalRows } from '../../../connections/index.js';
import type { Reader } from '../reader.js';
import type { OpenSources } from '../view-sources.service.js';
import { InMiniDb } from './in-mini-db.js';
import { InOneConnection } from './in-one-connection.js';
import { JoinEngine } from './join-engine.js';
import { LookupJoin } from './lookup-join.js';
import type { Question, Way } from './outcome.js';
import { ExternalPart, MiniPart, type Part } from './part.js';

/** Chooses how a question to a view is answered, by what it asks and where its sources are. */
@Injectable()
export class Ways {
  constructor(
    private readonly views: MiniDbViews,
    private readonly rows: ExternalRows,
    @Inject(APP_CONFIG) private readonly config: AppConfig,
  ) {}

  /** The cheapest way that can answer it. */
  choose(question: Question, access: Reader, sources: OpenSources): Way {
    const { from } = question.plan;
    const parts = this.partsOf(from, sources);
    const [driver, ...others] = parts;
    const database = databaseOf(must(from.places[0], 'a view has a source'));
    if (others.length === 0 && database === undefined) return new InMiniDb(this.views);
    if (others.length === 0 && driver instanceof ExternalPart && database !== undefined) {
      const { engine, name } = must(sources.connections.get(database), 'an open connection');
      const way = new InOneConnection({ id: database, name }, engine, driver);
      if (way.can(question)) return way;
      return this.joinEngine('The database cannot answer all of it by itself.', access, sources);
    }
    const lookup = new LookupJoin(
      must(driver, 'a view has a source'),
      apart(from, others, (places) => this.part(from, places, sources)),
    );
    if (lookup.can(question)) return lookup;
    const reason =
      question.kind === 'groups'
        ? 'Groups are made of rows of several databases.'
        : 'Rows of several databases decide together which rows come in which order, or a join can find several rows.';
    return this.joinEngine(reason, access, sources);
  }

  private joinEngine(reason: string, access: Reader, sources: OpenSources): Way {
    const { maxRows, maxBytes } = this.config.joins;
    return new JoinEngine(reason, this.views, this.rows, access, sources, { maxRows, maxBytes });
  }

  /** Neighbours that one database holds, together. */
  private partsOf(table: ViewTable, sources: OpenSources): readonly Part[] {
    const bounds = table.places.flatMap((place, i) => {
      const before = table.places[i - 1];
      return before && databaseOf(before) === databaseOf(place) ? [] : [i];
    });
    return bounds.map((from, n) => this.part(table, { from, to: bounds[n + 1] ?? table.places.length }, sources));
  }

  private part(table: ViewTable, places: Places, sources: OpenSources): Part {
    const connectionId = databaseOf(must(table.places[places.from], 'a place'));
    if (connectionId === undefined) return new MiniPart(table, places, this.views);
    const { engine, name } = must(sources.connections.get(connectionId), 'an open connection');
    return new ExternalPart(table, places, { id: connectionId, name }, engine);
  }
}

/** Those behind the driving side are looked up one by one. */
const apart = ({ places: all }: ViewTable, parts: readonly Part[], part: (places: Places) => Part): readonly Part[] => {
  const first = parts[0]?.places.from ?? all.length;
  return all.slice(first).map((_, i) => part({ from: first + i, to: first + i + 1 }));
};

/** The connection; undefined is the mini-DB. */
const databaseOf = ({ source }: ViewPlace): Id | undefined =>
  source.kind === 'object' ? source.connectionId : undefined;
