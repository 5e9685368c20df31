package editor_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

var (
	countedLink = regexp.MustCompile(`href="([^"]+)"(?: aria-label="[^"]*")?>(\d+)</a>`)
	listedLink  = regexp.MustCompile(`href="([^"]+)">[^<]*</a>: (\d+)</li>`)
	foundTitle  = regexp.MustCompile(`<h1 [^>]*>(\d+) van \d+ vragen</h1>`)
)

// Every number of the coverage page leads to as many prompts: also of those for everybody, those not for some, those that
// are written anew meanwhile and those that are retired.
func TestCoverageLeadsToWhatItCounts(t *testing.T) {
	w := served(t, nil)
	c := w.in(anna, prompts.Dutch)
	var dilemmas []string
	for _, p := range w.o.Library.Prompts {
		if p.Kind == prompts.Dilemma {
			dilemmas = append(dilemmas, string(p.ID))
		}
	}
	rewritten, retired := "/library/edit/prompt/"+dilemmas[0], "/library/entry/prompt/"+dilemmas[1]
	c.get(rewritten)
	if status := c.press(rewritten, with(dilemma("Heel anders"), "do", "save", "id", dilemmas[0])); status != http.StatusOK || w.entry(promptKey(dilemmas[0])).InForce == nil {
		t.Fatalf("%d\n%s", status, c.main())
	}
	c.get(retired)
	if status := c.press(retired+"/retire", nil); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	c.get("/library/new/prompt")
	forAll := with(dilemma("Voor bijna iedereen"), "do", "save")
	forAll["not_for"] = []string{string(w.o.Library.Audiences[0].ID)}
	if status := c.press("/library/new/prompt", forAll); status != http.StatusOK {
		t.Fatalf("%d\n%s", status, c.main())
	}
	c.get("/library/coverage")
	found := append(countedLink.FindAllStringSubmatch(c.last, -1), listedLink.FindAllStringSubmatch(c.last, -1)...)
	seen := map[string]string{}
	for _, m := range found {
		seen[html.UnescapeString(m[1])] = m[2]
	}
	if len(seen) < 20 {
		t.Fatalf("%d links", len(seen))
	}
	checked := 0
	for link, n := range seen {
		u, err := url.Parse(link)
		if err != nil || !strings.HasPrefix(link, "/library/?") {
			t.Errorf("%s: %v", link, err)
			continue
		}
		if q := u.Query(); q.Get("tension") != "" && (q.Get("audience") == "" || checked >= 30) {
			if q.Get("audience") == "" {
				t.Errorf("%s names no audience", link)
			}
			continue
		}
		checked++
		if status := c.get(link); status != http.StatusOK {
			t.Fatalf("%s: %d", link, status)
		}
		if m := foundTitle.FindStringSubmatch(c.last); m == nil || m[1] != n {
			t.Errorf("%s: %s there, %q in the list", link, n, m)
		}
	}
}
