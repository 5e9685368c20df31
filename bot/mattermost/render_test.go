package mattermost

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/prompts"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (make it with -update, and read it aloud)", err)
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) || g[i] != w[i] {
			t.Fatalf("%s differs from line %d; see it with -update and git diff", path, i+1)
		}
	}
}

// shown makes the signs without width readable in a golden file.
func shown(s string) string { return strings.ReplaceAll(s, hollow, "¦") }

func words(kind bot.BlockKind, text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: kind, Spans: []bot.Span{{Text: text, Person: true}}}}}
}

// What people write stands as they wrote it, and does nothing.
func TestHostileWords(t *testing.T) {
	var all strings.Builder
	for _, text := range []string{
		"@channel @all @here @jan.de-vries ~town-square #tag a@b.nl",
		"http://example.org https://example.org/a_b www.example.org WWW.example.org mailto:a@example.org ftp://x",
		"![kat](http://example.org/kat.png) [klik](http://example.org) [x]: http://example.org",
		"<b>vet</b> <http://example.org> <!channel> <@U123> &#64;channel &amp; &lt;",
		"# kop\n## kop\nkop\n===\n- punt\n+ punt\n* punt\n1. een\n2) twee\n> aangehaald\n---\n    code\n\tcode",
		"**vet** _schuin_ ~~weg~~ `code` ``` hek ```\n```\nhek\n```\n| a | b |\n|---|---|\n| c | d |",
		"$x$ \\(y\\) :smile: :) 14:30 50% a:b",
		"\u202eomgekeerd\u202c @\u200bchannel h\u00adttp://x \u0007bel \u2028regel",
		"\n\n  ingesprongen\n\n\n",
	} {
		p, err := renderText(words(bot.BlockQuote, text), false, false)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(shown(p) + "\n\n----\n\n")
	}
	golden(t, "hostile.md", all.String())
}

func TestEveryKindOfBlock(t *testing.T) {
	m := bot.Message{Lang: prompts.English, Blocks: []bot.Block{
		bot.Heading("A title\nover two lines"),
		bot.Text(bot.Rich("**Strong** and plain, from {who}.\nA second line.", "who", "@all **Jan**")...),
		bot.Quote("first\n\nthird"),
		{Kind: bot.BlockPoles, Spans: []bot.Span{{Text: "Always"}, {Text: "Never @here"}}},
		bot.List("one", "two\nlines"),
		bot.Code("help   ```` this"),
		bot.Note("small print"),
		{Kind: bot.BlockActions, Actions: []bot.Action{
			{Do: "answer", Round: "R", Label: "Answer without your name", Main: true}, {Do: "why", Round: "R", Label: "Why?", Typed: "why"},
			{Do: "tag", Label: "1. Speed", Typed: "1"}, {Do: "withdraw", Label: "Withdraw", Typed: "withdraw"}, {Do: "receipt", Label: "Code"},
		}},
	}}
	var all strings.Builder
	for _, direct := range []bool{false, true} {
		text, err := renderText(m, false, direct)
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(shown(text) + "\n\n----\n\n")
	}
	text, err := renderText(m, true, false)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "blocks.md", all.String()+shown(text)+"\n")
}

// The program's own link leads somewhere; one in people's words does not.
func TestLinkOfTheProgram(t *testing.T) {
	text, err := renderText(bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Link("Open de bibliotheek", "https://bot.example.org/library/in#CODE"), bot.Quote("https://evil.example")}}, false, true)
	if err != nil || !strings.HasPrefix(text, "[Open de bibliotheek](https://bot.example.org/library/in#CODE)\n") || strings.Contains(text, "https://evil") {
		t.Errorf("%q %v", text, err)
	}
}

func TestEmptyAndLong(t *testing.T) {
	for _, m := range []bot.Message{{}, words(bot.BlockQuote, " \u200b\n"), {Blocks: []bot.Block{{Kind: bot.BlockActions}}}} {
		if _, err := renderText(m, false, false); !errors.Is(err, errEmptyPost) {
			t.Errorf("%+v: %v", m, err)
		}
	}
	if _, err := renderText(words(bot.BlockText, strings.Repeat("ë", maxPost)), false, false); err != nil {
		t.Error(err)
	}
	if _, err := renderText(words(bot.BlockText, strings.Repeat("ë", maxPost+1)), false, false); !errors.Is(err, errLongPost) {
		t.Error(err)
	}
}

// Without a listener there are no buttons; with one, they are one attachment of standard parts that nobody else could make.
func TestButtons(t *testing.T) {
	m := bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{bot.Text(bot.Span{Text: "Kies"}),
		{Kind: bot.BlockActions, Actions: []bot.Action{{Do: "answer", Round: "R", Label: "Antwoord", Main: true}, {Do: "why", Round: "R", Label: "Waarom?", Typed: "waarom"}}},
		{Kind: bot.BlockActions, Actions: []bot.Action{{Do: "me", Label: "Wat bewaar je?", Typed: "mij"}}}}}
	l, err := newCallbacks(&Adapter{c: Config{URL: "http://mm.example", CallbackURL: "http://bot.example/x9/", Secret: testSecret}})
	if err != nil {
		t.Fatal(err)
	}
	a := &Adapter{calls: l}
	p, err := a.render(m, "mattermost:c", "key")
	if err != nil {
		t.Fatal(err)
	}
	boxes, _ := p.GetProp(model.PostPropsAttachments).([]*model.MessageAttachment)
	if len(boxes) != 1 || len(boxes[0].Actions) != 3 || boxes[0].Fallback != "Antwoord, Waarom?, Wat bewaar je?" || p.Message != "Kies" {
		t.Fatalf("%q %+v", p.Message, boxes)
	}
	if err := boxes[0].IsValid(); err != nil {
		t.Error(err)
	}
	plainID, seen := regexp.MustCompile(`^[a-z0-9]+$`), map[string]bool{}
	for i, b := range boxes[0].Actions {
		token, _ := b.Integration.Context[contextKey].(string)
		c, err := l.sign.readPress(token, l.now())
		if err != nil || c.Team != "mattermost:c" || c.Key != "key" || b.Integration.URL != "http://bot.example/x9/press" || !plainID.MatchString(b.Id) || seen[b.Id] {
			t.Errorf("button %d: %+v %+v %v", i, b, c, err)
		}
		seen[b.Id] = true
	}
	none := func(what string, p *model.Post, err error) {
		t.Helper()
		if err != nil || p.GetProp(model.PostPropsAttachments) != nil || !strings.Contains(p.Message, "**waarom**") {
			t.Errorf("%s: %v %q", what, err, p.Message)
		}
	}
	p, err = a.render(m, "", "key")
	none("in private", p, err)
	l.closed.Store(true)
	p, err = a.render(m, "mattermost:c", "key")
	none("not reached", p, err)
	bare, err := newCallbacks(&Adapter{c: Config{URL: "http://mm.example"}})
	if err != nil {
		t.Fatal(err)
	}
	p, err = (&Adapter{calls: bare}).render(m, "mattermost:c", "key")
	none("no listener", p, err)
}

// What would be alive in a client: mentions, channels, tags, links, pictures, HTML, code and tables.
var alive = map[string]*regexp.Regexp{
	"mention": regexp.MustCompile(`(?i)@[\p{L}\p{N}_.-]`),
	"channel": regexp.MustCompile(`~[\p{L}\p{N}]`),
	"tag":     regexp.MustCompile(`#[\p{L}\p{N}]`),
	"address": regexp.MustCompile(`(?i)(www\.|[a-z][a-z0-9+.-]*://|mailto:[^\s\x{200b}])`),
	"link":    regexp.MustCompile(`(^|[^\\])\]\(|(^|[^\\])\]:|(^|[^\\])(\\\\)*\[`),
	"html":    regexp.MustCompile(`<[A-Za-z/!?@#]`),
	"entity":  regexp.MustCompile(`&[#A-Za-z]`),
	"code":    regexp.MustCompile("(^|[^\\\\])(\\\\\\\\)*[`|*_]"),
	"emoji":   regexp.MustCompile(`:[a-z+_-]+:`),
	"hidden":  regexp.MustCompile(`[\x{202a}-\x{202e}\x{2066}-\x{2069}\x{200e}\x{200f}\x00-\x09\x0b-\x1f\x7f]`),
}

// FuzzRender: for any words of a person, in any place, nothing in the post is alive, and a quote stays a quote.
func FuzzRender(f *testing.F) {
	for _, seed := range []string{
		"@channel", "a@here b", "~town #tag", "http://x www.x.nl", "![a](b)", "[a](b)", "<b>", "&#64;all", "`x`", "\\@all", "\\\\[x](y)", "w\u200bww.x", "*_|", "\u202e@all",
		"1. x", "- x\n+ y\n=", "ＷＷＷ.x", "@@all", "~~x~~", "::a::", "h:t:t:p://", "İ@here", "www\u200b.x", "<\u200b!channel>", "1:2:3:",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, m := range []bot.Message{
			words(bot.BlockQuote, text), words(bot.BlockText, text), words(bot.BlockNote, text), words(bot.BlockHeading, text), words(bot.BlockList, text),
		} {
			got, err := renderText(m, false, false)
			if err != nil {
				continue
			}
			kind := m.Blocks[0].Kind
			for i, line := range strings.Split(got, "\n") {
				switch kind {
				case bot.BlockQuote:
					var ok bool
					if line, ok = strings.CutPrefix(line, "> "); !ok {
						t.Fatalf("%q left the quote: %q", text, got)
					}
				case bot.BlockHeading:
					line = strings.TrimPrefix(line, "#### ")
				case bot.BlockList:
					line = strings.TrimPrefix(line, "1. ")
				}
				if i > 0 && (kind == bot.BlockHeading || kind == bot.BlockList) {
					t.Errorf("%q left its line: %q", text, got)
				}
				for what, sign := range alive {
					if sign.MatchString(line) {
						t.Errorf("%s alive in %q of %q", what, line, text)
					}
				}
				if started := regexp.MustCompile(`^\s*([-+>#]|=+$|\d+[.)])`); started.MatchString(line) {
					t.Errorf("a line of %q begins something: %q", text, line)
				}
			}
		}
	})
}
