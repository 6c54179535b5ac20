package pgstore

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/usermgmt-go/usermgmt/store"
)

// The table user_range counts users by ranges of their ids: a range goes from
// its lo up to the next lo, and the first lo is empty. What came and went since
// is in user_change, a row for each, so that units that create users never wait
// for one another. Those rows are moved into the ranges now and then (see fold).
// At any moment, for any snapshot, the users of a range are its n and the sum of
// the changes with ids in it. So the n-th user is found among the users of one
// range, by adding up as many rows as there are ranges and changes: a million
// users are about a thousand ranges.
const (
	rangeFull  = 2048 // users in a range that is split
	rangeSize  = 1024 // users in a range that a split makes
	rangeSmall = 256  // users in a range that is joined to its neighbours
	// changesDue is how many changes of a store's units, or met by a reader,
	// make it time to fold.
	changesDue = 1024
	// foldDue is how many users that came a unit counts in the ranges itself.
	foldDue = 4 * changesDue
)

// flushUsers writes which users came and went.
func (t *tx) flushUsers() []step {
	var steps []step
	for _, c := range []struct {
		ids *[]string
		n   int64
	}{{&t.came, 1}, {&t.went, -1}} {
		if len(*c.ids) > 0 {
			steps = append(steps, changeUsers(t.realm, *c.ids, c.n))
			*c.ids = nil
		}
	}
	return steps
}

func changeUsers(realm string, ids []string, n int64) step {
	return step{
		sql:  "INSERT INTO {user_change} (realm, user_id, n) SELECT $1, id, $2::bigint FROM unnest($3::text[]) AS i (id)",
		args: []any{realm, n, ids},
	}
}

// tell lets a question within a unit see what the unit has done. Many changes
// are folded there and then: the fold is the unit's, and comes and goes with it.
func (r *reader) tell(ctx context.Context) error {
	t := r.tx
	if t == nil {
		return nil
	}
	r.conn.later = append(r.conn.later, t.flushUsers()...)
	if max(int64(t.total-t.folded), r.changes) < changesDue {
		return nil
	}
	t.folded, r.changes = t.total, 0
	return foldWithin(ctx, r.conn, r.realm)
}

func (r *reader) UserAt(ctx context.Context, n int64) (store.UserID, error) {
	if err := r.ok(ctx); err != nil {
		return "", err
	}
	if n < 0 {
		return "", invalid("n", "must not be negative")
	}
	if err := r.tell(ctx); err != nil {
		return "", err
	}
	var id *string
	_, err := r.conn.one(ctx, "WITH k AS ("+
		"SELECT lo AS key, true AS range, n FROM {user_range} WHERE realm=$1"+
		" UNION ALL SELECT '', true, 0 WHERE NOT EXISTS (SELECT 1 FROM {user_range} WHERE realm=$1)"+
		" UNION ALL SELECT user_id, false, n FROM {user_change} WHERE realm=$1), p AS ("+
		"SELECT key, range, coalesce(sum(n) OVER (ORDER BY key, range DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)::bigint AS before FROM k)"+
		" SELECT (SELECT id FROM {user} WHERE realm=$1 AND id>=p.key ORDER BY id OFFSET $2::bigint-p.before LIMIT 1),"+
		" (SELECT count(*) FROM p WHERE NOT range)"+
		" FROM p WHERE range AND before<=$2::bigint ORDER BY key DESC LIMIT 1",
		into(&id, &r.changes), r.realm, n)
	if err != nil {
		return "", err
	}
	if id == nil {
		return "", store.ErrNotFound
	}
	return store.UserID(*id), nil
}

// countAll counts the realm's users.
func (r *reader) countAll(ctx context.Context) (n int64, err error) {
	if err := r.tell(ctx); err != nil {
		return 0, err
	}
	_, err = r.conn.one(ctx, "SELECT (coalesce((SELECT sum(n) FROM {user_range} WHERE realm=$1), 0)"+
		" + coalesce(sum(n), 0))::bigint, count(*) FROM {user_change} WHERE realm=$1", into(&n, &r.changes), r.realm)
	return n, err
}

// fold moves the changes of a realm into its ranges, in a transaction of its own.
func fold(ctx context.Context, c *conn, realm string) error {
	c.begin = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
	defer c.rollback(ctx)
	if err := foldWithin(ctx, c, realm); err != nil {
		return err
	}
	return c.commit(ctx)
}

// foldWithin folds in the open transaction, unless somebody else is about it, or
// the transaction would not see what others have folded since it began. It waits
// for nobody, and nobody waits for it: other folds are left out until it has ended.
func foldWithin(ctx context.Context, c *conn, realm string) error {
	alone, err := foldAlone(ctx, c, realm)
	if err != nil || !alone {
		return err
	}
	return addToRanges(ctx, c, realm, "DELETE FROM {user_change} WHERE realm=$1 RETURNING user_id, n")
}

// foldAlone reports whether the transaction may fold.
func foldAlone(ctx context.Context, c *conn, realm string) (alone bool, err error) {
	_, err = c.one(ctx, "SELECT current_setting('transaction_isolation')='read committed' AND pg_try_advisory_xact_lock($1)",
		into(&alone), c.naming.lock("fold", realm))
	return alone, err
}

// countCame counts users that came in the ranges at once, without rows of
// user_change, if that may be. They have been sent.
func countCame(ctx context.Context, c *conn, realm string, came []string) error {
	alone, err := foldAlone(ctx, c, realm)
	if err != nil {
		return err
	}
	if !alone {
		return c.run(ctx, changeUsers(realm, came, 1))
	}
	slices.Sort(came)
	if done, err := countLast(ctx, c, realm, came); err != nil || done {
		return err
	}
	return addToRanges(ctx, c, realm, "SELECT id AS user_id, 1::bigint AS n FROM unnest($2::text[]) AS i (id)", came)
}

// countLast counts users that came, in their order, if they are the last of all,
// as new ids mostly are: none of them belongs into a range before the last, and
// new ranges hold nobody else.
func countLast(ctx context.Context, c *conn, realm string, came []string) (done bool, err error) {
	var lo string
	var n int64
	err = c.run(ctx, step{sql: "SELECT lo, n FROM {user_range} WHERE realm=$1 ORDER BY lo DESC LIMIT 1", args: []any{realm}, row: into(&lo, &n)},
		step{
			sql: "SELECT NOT EXISTS (SELECT 1 FROM {user_change} WHERE realm=$1 AND user_id>=$2)" +
				" AND $3::bigint=(SELECT count(*) FROM (SELECT 1 FROM {user} WHERE realm=$1 AND id>=$2 LIMIT $3::bigint+1) u)",
			args: []any{realm, came[0], int64(len(came))}, row: into(&done),
		})
	if err != nil || lo > came[0] || !done {
		return false, err
	}
	los, counts := []string{lo}, []int64{max(0, min(rangeSize-n, int64(len(came))))}
	for part := range slices.Chunk(came[counts[0]:], rangeSize) {
		los, counts = append(los, part[0]), append(counts, int64(len(part)))
	}
	return true, c.run(ctx, step{
		sql: "INSERT INTO {user_range} AS r (realm, lo, n) SELECT $1, * FROM unnest($2::text[], $3::bigint[])" +
			" ON CONFLICT (realm, lo) DO UPDATE SET n=r.n+excluded.n",
		args: []any{realm, los, counts},
	})
}

// addToRanges adds changes, of a query whose first argument is the realm, to the
// ranges, and sees to it that these keep their size.
func addToRanges(ctx context.Context, c *conn, realm, changes string, args ...any) error {
	var full []string
	small := false
	err := c.each(ctx, func(row pgx.Rows) error {
		var lo string
		var n int64
		if err := row.Scan(&lo, &n); err != nil {
			return err
		}
		small = small || n < rangeSmall
		if n > rangeFull {
			full = append(full, lo)
		}
		return nil
	}, "WITH c AS ("+changes+"), k AS ("+
		"SELECT lo AS key, lo, 0::bigint AS n, false AS change FROM {user_range} WHERE realm=$1"+
		" UNION ALL SELECT user_id, NULL, n, true FROM c), m AS ("+
		// The last lo before each change is that of its range.
		`SELECT coalesce(max(lo) OVER (ORDER BY key COLLATE "C", change ROWS UNBOUNDED PRECEDING), '') AS lo, n, change FROM k), s AS (`+
		"SELECT lo, sum(n)::bigint AS n FROM m WHERE change GROUP BY lo)"+
		" INSERT INTO {user_range} AS r (realm, lo, n) SELECT $1, lo, n FROM s"+
		" ON CONFLICT (realm, lo) DO UPDATE SET n=r.n+excluded.n RETURNING lo, n", append([]any{realm}, args...)...)
	if err != nil {
		return err
	}
	for _, lo := range full {
		if err := splitRange(ctx, c, realm, lo); err != nil {
			return err
		}
	}
	if small {
		return joinRanges(ctx, c, realm)
	}
	return nil
}

// splitRange cuts a range into pieces, by the users that are there. Changes
// that have come since fold moved the others are not yet counted in any.
func splitRange(ctx context.Context, c *conn, realm, lo string) error {
	return c.run(ctx, step{
		sql: "WITH b AS (SELECT min(lo) AS hi FROM {user_range} WHERE realm=$1 AND lo>$2)," +
			" u AS (SELECT id, (row_number() OVER (ORDER BY id)-1)/$3::bigint AS part FROM {user}, b" +
			" WHERE realm=$1 AND id>=$2 AND (b.hi IS NULL OR id<b.hi))," +
			// Read once: rows that this transaction has folded are still in its index.
			" c AS MATERIALIZED (SELECT user_id, n FROM {user_change} WHERE realm=$1)," +
			" p AS (SELECT CASE part WHEN 0 THEN $2 ELSE min(id) END AS lo, count(*) AS n, lead(min(id)) OVER (ORDER BY part) AS hi FROM u GROUP BY part)" +
			" INSERT INTO {user_range} (realm, lo, n) SELECT $1, p.lo, p.n-coalesce((SELECT sum(n) FROM c" +
			" WHERE user_id>=p.lo AND (coalesce(p.hi, b.hi) IS NULL OR user_id<coalesce(p.hi, b.hi))), 0)::bigint FROM p, b" +
			" ON CONFLICT (realm, lo) DO UPDATE SET n=excluded.n",
		args: []any{realm, lo, int64(rangeSize)},
	})
}

// joinRanges makes one of neighbours that have few users together.
func joinRanges(ctx context.Context, c *conn, realm string) error {
	var kept, gone []string
	var counts []int64
	err := c.each(ctx, func(row pgx.Rows) error {
		var lo string
		var n int64
		if err := row.Scan(&lo, &n); err != nil {
			return err
		}
		if last := len(counts) - 1; last >= 0 && counts[last]+n <= rangeSize {
			counts[last] += n
			gone = append(gone, lo)
			return nil
		}
		kept, counts = append(kept, lo), append(counts, n)
		return nil
	}, "SELECT lo, n FROM {user_range} WHERE realm=$1 ORDER BY lo", realm)
	if err != nil || len(gone) == 0 {
		return err
	}
	return c.run(ctx,
		step{sql: "DELETE FROM {user_range} WHERE realm=$1 AND lo=ANY($2::text[])", args: []any{realm, gone}},
		step{
			sql: "UPDATE {user_range} r SET n=k.n FROM unnest($2::text[], $3::bigint[]) AS k (lo, n)" +
				" WHERE r.realm=$1 AND r.lo=k.lo AND r.n<>k.n",
			args: []any{realm, kept, counts},
		})
}
