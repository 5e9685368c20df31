package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weerklank/weerklank/bot/locale"
)

// loadHeavy reads the organisation's own list of heavy words, which takes the place of the built-in one; its name counts
// from the folder of the configuration.
func (c *config) loadHeavy(folder string) error {
	name := c.Help.HeavyWords
	if name == "" {
		return nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	list, err := locale.DecodeHeavy(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%s:\n%w", name, err)
	}
	c.heavy = list
	return nil
}
