// Package locale turns message keys into Dutch or English text and writes moments, dates and small numbers as people do.
package locale

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/prompts"
)

//go:embed texts/*.toml
var files embed.FS

// catalogue reads the embedded texts once: a file <topic>.<lang>.toml holds that topic's keys.
var catalogue = sync.OnceValues(func() (map[prompts.Lang]map[string]string, error) {
	all := map[prompts.Lang]map[string]string{}
	names, err := fs.Glob(files, "texts/*.toml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		topic, lang, ok := strings.Cut(strings.TrimSuffix(path.Base(name), ".toml"), ".")
		if !ok || !slices.Contains(prompts.Langs(), prompts.Lang(lang)) {
			return nil, fmt.Errorf("catalogue %s: want <topic>.<language>.toml", name)
		}
		raw, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		var texts map[string]string
		if err := toml.Unmarshal(raw, &texts); err != nil {
			return nil, fmt.Errorf("catalogue %s: %w", name, err)
		}
		if all[prompts.Lang(lang)] == nil {
			all[prompts.Lang(lang)] = map[string]string{}
		}
		for key, text := range texts {
			all[prompts.Lang(lang)][topic+"."+key] = strings.TrimSpace(text)
		}
	}
	return all, nil
})

// Text returns the text of key in lang with its placeholders unfilled. A key that is missing comes back itself, so that
// a gap in the catalogue is seen and never stops a round; a test holds that there is none.
func Text(lang prompts.Lang, key string) string {
	all, err := catalogue()
	if err != nil {
		return key
	}
	if s, ok := all[lang][key]; ok {
		return s
	}
	if s, ok := all[prompts.Dutch][key]; ok {
		return s
	}
	return key
}

// Say returns the text of key in lang with every {name} replaced by the value that follows name in pairs.
func Say(lang prompts.Lang, key string, pairs ...string) string {
	return Fill(Text(lang, key), pairs...)
}

// Fill replaces every {name} of text by the value that follows name in pairs. Values are not searched again; a name that
// is not in pairs stays.
func Fill(text string, pairs ...string) string {
	if len(pairs) == 0 || !strings.Contains(text, "{") {
		return text
	}
	var out strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "{")
		out.WriteString(before)
		if !ok {
			return out.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		i := 0
		for i+1 < len(pairs) && pairs[i] != name {
			i += 2
		}
		if !ok || i+1 >= len(pairs) {
			out.WriteByte('{')
			text = rest
			continue
		}
		out.WriteString(pairs[i+1])
		text = after
	}
}

// Check says what is wrong with the catalogue itself: unreadable files, keys or placeholders that one language lacks,
// empty texts. The program refuses to start on it.
func Check() error {
	all, err := catalogue()
	if err != nil {
		return err
	}
	for key, nl := range all[prompts.Dutch] {
		en, ok := all[prompts.English][key]
		switch {
		case !ok:
			return fmt.Errorf("catalogue: %s has no English", key)
		case nl == "" || en == "":
			return fmt.Errorf("catalogue: %s is empty", key)
		case !slices.Equal(Placeholders(nl), Placeholders(en)):
			return fmt.Errorf("catalogue: %s has different placeholders", key)
		}
	}
	for key := range all[prompts.English] {
		if _, ok := all[prompts.Dutch][key]; !ok {
			return fmt.Errorf("catalogue: %s has no Dutch", key)
		}
	}
	return nil
}

// Keys returns all keys, sorted.
func Keys() []string {
	all, _ := catalogue()
	keys := make([]string, 0, len(all[prompts.Dutch]))
	for key := range all[prompts.Dutch] {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Placeholders returns the names between braces in text, sorted, each once.
func Placeholders(text string) []string {
	var names []string
	for {
		_, rest, ok := strings.Cut(text, "{")
		if !ok {
			break
		}
		name, after, ok := strings.Cut(rest, "}")
		if !ok {
			break
		}
		names, text = append(names, name), after
	}
	slices.Sort(names)
	return slices.Compact(names)
}

var (
	weekdays = map[prompts.Lang][]string{
		prompts.Dutch: {"zondag", "maandag", "dinsdag", "woensdag", "donderdag", "vrijdag", "zaterdag"},
	}
	months = map[prompts.Lang][]string{
		prompts.Dutch: {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
	}
	numbers = map[prompts.Lang][]string{
		prompts.Dutch:   {"nul", "één", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen", "tien", "elf", "twaalf", "dertien", "veertien", "vijftien", "zestien", "zeventien", "achttien", "negentien", "twintig"},
		prompts.English: {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"},
	}
)

// Date writes the day of t, in t's own zone: "dinsdag 1 september", "Tuesday 1 September".
func Date(lang prompts.Lang, t time.Time) string {
	if days, ok := weekdays[lang]; ok {
		return fmt.Sprintf("%s %d %s", days[t.Weekday()], t.Day(), months[lang][t.Month()-1])
	}
	return t.Format("Monday 2 January")
}

// Moment writes day and time of t, in t's own zone: "maandag 7 september om 10.00 uur", "Monday 7 September at 10:00".
func Moment(lang prompts.Lang, t time.Time) string {
	if lang == prompts.Dutch {
		return Date(lang, t) + t.Format(" om 15.04 uur")
	}
	return Date(lang, t) + t.Format(" at 15:04")
}

// Day writes the day of t with its year, in t's own zone: "1 september 2026", "1 September 2026".
func Day(lang prompts.Lang, t time.Time) string {
	return fmt.Sprintf("%d %s %d", t.Day(), Month(lang, t), t.Year())
}

// Month writes the month of t: "september".
func Month(lang prompts.Lang, t time.Time) string {
	if names, ok := months[lang]; ok {
		return names[t.Month()-1]
	}
	return t.Format("January")
}

// Number writes n as a word up to twenty, as digits beyond.
func Number(lang prompts.Lang, n int) string {
	words, ok := numbers[lang]
	if !ok {
		words = numbers[prompts.English]
	}
	if n >= 0 && n < len(words) {
		return words[n]
	}
	return strconv.Itoa(n)
}

// Capital returns s with its first letter in upper case; the Dutch ij counts as one letter.
func Capital(s string) string {
	if strings.HasPrefix(s, "ij") {
		return "IJ" + s[2:]
	}
	for i, r := range s {
		return strings.ToUpper(string(r)) + s[i+len(string(r)):]
	}
	return s
}
