package sqlitestore

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// walIndex is the WAL index as SQLite itself has it mapped into this process.
//
// Opening the file would be simpler and wrong: closing any descriptor of it
// takes all of the process's POSIX locks off it, those of SQLite's connections
// included, another Store's on the same file as well. So SQLite's own mapping
// is looked up. It lasts while any connection of this process to the file is
// open, so the store must not ask after it has closed its own.
type walIndex struct {
	// words are the header's two copies, one after the other.
	words *[2 * len(walHeader{})]uint64
}

// findWalIndex returns nil if the mapping cannot be told with certainty.
func findWalIndex(path string) *walIndex {
	info, err := os.Stat(path + "-shm")
	if err != nil {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil
	}
	var found uintptr
	for line := range bytes.Lines(maps) {
		// address perms offset dev inode path
		f := strings.Fields(string(line))
		if len(f) < 6 || len(f[1]) != 4 || f[1][3] != 's' || f[4] != strconv.FormatUint(stat.Ino, 10) {
			continue
		}
		if off, err := strconv.ParseUint(f[2], 16, 64); err != nil || off != 0 {
			continue
		}
		// Numbers of devices may differ from those of stat (btrfs, overlayfs).
		if !strings.HasSuffix(strings.TrimSpace(string(line)), mapsName(filepath.Base(path)+"-shm")) {
			continue
		}
		low, _, _ := strings.Cut(f[0], "-")
		addr, err := strconv.ParseUint(low, 16, 64)
		if err != nil || found != 0 {
			return nil // not ours alone: another library's mapping may end before ours
		}
		found = uintptr(addr)
	}
	if found == 0 {
		return nil
	}
	// The memory is not Go's and does not move; vet cannot know.
	w := &walIndex{words: *(**[2 * len(walHeader{})]uint64)(unsafe.Pointer(&found))}
	h, ok := w.header()
	if !ok || uint32FromBytes(h[0]) != walIndexVersion {
		return nil
	}
	return w
}

// mapsName is a file's name as /proc/self/maps writes it.
func mapsName(name string) string { return strings.ReplaceAll(name, "\n", `\012`) }

// uint32FromBytes returns the four bytes that come first in memory.
func uint32FromBytes(word uint64) uint32 {
	return *(*uint32)(unsafe.Pointer(&word))
}

// header returns the header; ok is false where there is none, and while it is
// being written. SQLite writes the second copy, then the first one.
func (w *walIndex) header() (h walHeader, ok bool) {
	if w == nil {
		return h, false
	}
	for i := range h {
		h[i] = atomic.LoadUint64(&w.words[i])
	}
	for i := range h {
		if h[i] != atomic.LoadUint64(&w.words[len(h)+i]) {
			return h, false
		}
	}
	return h, h[0] != 0
}
