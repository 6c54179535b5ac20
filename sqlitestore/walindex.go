package sqlitestore

// walHeader is the part of SQLite's WAL index that every commit changes: a
// change counter, the number of frames, checksums and salts. See "The WAL-Index
// Header" in https://sqlite.org/walformat.html.
type walHeader [6]uint64

// walIndexVersion is the only version of the format so far, in the first four
// bytes of the header in the machine's own byte order.
const walIndexVersion = 3007000
