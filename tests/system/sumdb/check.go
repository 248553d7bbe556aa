// check VKEY DIR [DIR…]: exported logs, the oldest first, as golang.org/x/mod/sumdb sees them (Go's own checksum database reads
// its log with it). Opens each checkpoint by the key, computes the tree's head from the tiles, proves each entry of each
// log and checks the proof, and proves that each log continues the one before.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

func must(err error, doing string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", doing, err)
		os.Exit(1)
	}
}

// The tiles of a directory; tlog's own paths have the height in them.
type tiles struct{ dir string }

func (t tiles) Height() int                         { return tileHeight }
func (t tiles) SaveTiles(_ []tlog.Tile, _ [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		bytes, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		all = append(all, bytes)
	}
	return all, nil
}

func head(dir string, key note.Verifier) tlog.Tree {
	bytes, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	must(err, "the checkpoint")
	opened, err := note.Open(bytes, note.VerifierList(key))
	must(err, "the checkpoint")
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() || lines[3] != "" {
		must(fmt.Errorf("%q", opened.Text), "the checkpoint")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err, "the size")
	root, err := base64.StdEncoding.DecodeString(lines[2])
	must(err, "the root")
	tree := tlog.Tree{N: size}
	if copy(tree.Hash[:], root) != tlog.HashSize || len(root) != tlog.HashSize {
		must(fmt.Errorf("%d bytes", len(root)), "the root")
	}
	return tree
}

func entries(dir string, size int64) [][]byte {
	var all [][]byte
	for n := int64(0); int64(len(all)) < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: tileHeight, L: 0, N: n, W: int(width)}
		bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)))
		must(err, "a bundle")
		for count := int64(0); count < width; count++ {
			length := int(binary.BigEndian.Uint16(bundle))
			all = append(all, bundle[2:2+length])
			bundle = bundle[2+length:]
		}
		if len(bundle) != 0 {
			must(fmt.Errorf("%d bytes too many", len(bundle)), "a bundle")
		}
	}
	return all
}

func main() {
	key, err := note.NewVerifier(os.Args[1])
	must(err, "the key")
	var before tlog.Tree
	for _, dir := range os.Args[2:] {
		tree := head(dir, key)
		hashes := tlog.TileHashReader(tree, tiles{dir})
		root, err := tlog.TreeHash(tree.N, hashes)
		must(err, "the tree")
		if root != tree.Hash {
			must(fmt.Errorf("%v, not %v", root, tree.Hash), "the root")
		}
		for i, entry := range entries(dir, tree.N) {
			proof, err := tlog.ProveRecord(tree.N, int64(i), hashes)
			must(err, "proving an entry")
			must(tlog.CheckRecord(proof, tree.N, tree.Hash, int64(i), tlog.RecordHash(entry)), fmt.Sprintf("entry %d", i))
		}
		if before.N > 0 {
			proof, err := tlog.ProveTree(tree.N, before.N, hashes)
			must(err, "proving that the log goes on")
			must(tlog.CheckTree(proof, tree.N, tree.Hash, before.N, before.Hash), "the log does not continue the one before")
		}
		fmt.Printf("%d entries\n", tree.N)
		before = tree
	}
}
