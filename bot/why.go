package bot

import (
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/prompts"
)

// Why says in one sentence why a question was chosen (PRACTICE 9).
func Why(lang prompts.Lang, reasons []prompts.Reason, lib *prompts.Library) string {
	say := sayer(lang)
	var parts []string
	for _, r := range reasons {
		tension, _ := lib.Tension(r.Tension)
		label := tension.Label.In(lang)
		switch r.Key {
		case "audience":
			a, _ := lib.Audience(r.Audience)
			parts = append(parts, say("why.audience", "audience", a.Name.In(lang)))
		case "everyone":
			parts = append(parts, say("why.everyone"))
		case "onboarding":
			parts = append(parts, say("why.onboarding"))
		case "look-back":
			parts = append(parts, say("why.look-back"))
		case "value":
			parts = append(parts, say("why.value"))
		case "light":
			parts = append(parts, say("why.light"))
		case "recurring":
			parts = append(parts, say("why.recurring", "tension", label))
		case "tension-rest":
			if r.Rounds == 1 {
				parts = append(parts, say("why.tension-rest-one", "tension", label))
			} else {
				parts = append(parts, say("why.tension-rest", "tension", label, "rounds", strconv.Itoa(r.Rounds)))
			}
		case "tension-new":
			parts = append(parts, say("why.tension-new", "tension", label))
		case "from-team":
			parts = append(parts, say("why.from-team"))
		case "never-asked":
			parts = append(parts, say("why.never-asked"))
		case "asked-before":
			parts = append(parts, say("why.asked-before"))
		case "relaxed":
			parts = append(parts, say("why.relaxed"))
		}
	}
	return say("why.because", "reasons", strings.Join(parts, "; "))
}
