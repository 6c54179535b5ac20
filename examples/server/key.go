package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/usermgmt-go/usermgmt"
)

// loadKey reads the signing key, which must be nobody else's to read, and
// makes one where there is none.
func loadKey(name string) (usermgmt.SigningKey, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return createKey(name)
	}
	if err != nil {
		return usermgmt.SigningKey{}, err
	}
	info, err := os.Stat(name)
	if err != nil {
		return usermgmt.SigningKey{}, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return usermgmt.SigningKey{}, fmt.Errorf("%s can be read by others: chmod 600 it, or make a new one", name)
	}
	return usermgmt.ParseSigningKey(text)
}

func createKey(name string) (usermgmt.SigningKey, error) {
	key, err := usermgmt.GenerateSigningKey(nil)
	if err != nil {
		return key, err
	}
	text, err := usermgmt.MarshalSigningKey(key)
	if err != nil {
		return key, err
	}
	// Written whole under another name first: nobody ever reads half a key.
	f, err := os.CreateTemp(filepath.Dir(name), ".key-*") // mode 0600
	if err != nil {
		return key, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return key, err
	}
	err = os.Link(f.Name(), name)
	if errors.Is(err, fs.ErrExist) {
		return loadKey(name) // another process was quicker
	}
	return key, err
}
