"""The only code that depends on undocumented parts of libraries; a canary test covers each part."""
