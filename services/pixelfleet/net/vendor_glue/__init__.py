"""The only code that depends on undocumented parts of other libraries; each part has a canary test."""
