package slack

import (
	"encoding/json"
	"testing"
)

// entered is the state.values that Slack sends if nothing in a view is changed.
func entered(t testing.TB, v any) json.RawMessage {
	t.Helper()
	out := object{}
	for _, b := range list(sent(t, v)["blocks"]) {
		block, _ := b.(object)
		if block["type"] != "input" {
			continue
		}
		e, _ := block["element"].(object)
		value := object{"type": e["type"]}
		switch e["type"] {
		case "plain_text_input":
			value["value"] = e["initial_value"]
		case "radio_buttons", "static_select":
			value["selected_option"] = e["initial_option"]
		default:
			value["selected_options"] = append([]any{}, list(e["initial_options"])...)
		}
		out[block["block_id"].(string)] = object{e["action_id"].(string): value}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
