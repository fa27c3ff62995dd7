"""What options may be set to, as the library says it; its own modules are loaded when a command runs, not for help."""

from typing import Literal

Target = Literal["openai", "azure", "compatible", "local", "together", "fireworks", "mistral", "trl"]
Method = Literal["supervised", "dpo", "reinforcement"]
Precision = Literal["f32", "f16", "q8_0"]
Language = Literal["en", "zh-Hant", "zh-Hans"]
Demo = Literal["sentiment", "sentiment_golden", "faq", "airport", "complaints", "complaints_golden"]
Aim = Literal["answers", "labels", "style"]
Format = Literal["openai", "trl", "sharegpt", "alpaca", "completion", "together", "mistral", "llamafactory"]
Shell = Literal["bash", "zsh", "fish"]
Signal = Literal["agreement", "logprobability"]
Promised = Literal["answers", "questions"]
