"""The one look: a neutral scale, one accent, 8-pixel spacing, 16-pixel text, system fonts."""

from __future__ import annotations

from typing import Final

from gradio.themes import Base
from gradio.themes.utils import colors, sizes

ACCENT: Final = colors.Color(
    name="accent",
    c50="#eef8f6",
    c100="#d5efea",
    c200="#aeded6",
    c300="#7cc7bc",
    c400="#48aa9e",
    c500="#1f8a7e",
    c600="#0f766e",
    c700="#115e59",
    c800="#134e4a",
    c900="#123f3d",
    c950="#082726",
)
NEUTRAL: Final = colors.Color(
    name="neutral",
    c50="#fafaf9",
    c100="#f4f4f2",
    c200="#e6e6e3",
    c300="#d3d3cf",
    c400="#a2a29c",
    c500="#6f6f69",
    c600="#55554f",
    c700="#3d3d39",
    c800="#272725",
    c900="#1c1c1a",
    c950="#131312",
)
_SANS: Final = (
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Noto Sans",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans CJK SC",
    "sans-serif",
)
_MONO: Final = ("ui-monospace", "SF Mono", "Menlo", "Consolas", "DejaVu Sans Mono", "monospace")
_RADIUS: Final = sizes.Size(
    name="radius", xxs="4px", xs="4px", sm="6px", md="8px", lg="12px", xl="16px", xxl="24px"
)
_SPACING: Final = sizes.Size(
    name="spacing", xxs="2px", xs="4px", sm="8px", md="8px", lg="16px", xl="16px", xxl="24px"
)
_TEXT: Final = sizes.Size(
    name="text", xxs="12px", xs="13px", sm="14px", md="16px", lg="18px", xl="22px", xxl="28px"
)


def theme() -> Base:
    """Our theme. Colours not listed here follow from the two scales."""
    look = Base(
        primary_hue=ACCENT,
        secondary_hue=ACCENT,
        neutral_hue=NEUTRAL,
        spacing_size=_SPACING,
        radius_size=_RADIUS,
        text_size=_TEXT,
        font=_SANS,
        font_mono=_MONO,
    )
    look.name = "chatapp"
    return look.set(
        body_background_fill="white",
        body_background_fill_dark="*neutral_900",
        background_fill_primary="white",
        background_fill_primary_dark="*neutral_900",
        background_fill_secondary="*neutral_100",
        background_fill_secondary_dark="*neutral_950",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        border_color_primary="*neutral_200",
        border_color_primary_dark="*neutral_700",
        border_color_accent="*primary_600",
        border_color_accent_dark="*primary_400",
        color_accent="*primary_600",
        color_accent_soft="*primary_50",
        color_accent_soft_dark="*neutral_800",
        link_text_color="*primary_700",
        link_text_color_dark="*primary_300",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_shadow="none",
        block_label_background_fill="transparent",
        block_label_background_fill_dark="transparent",
        block_label_text_color="*neutral_600",
        block_label_text_color_dark="*neutral_300",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
        block_title_text_size="*text_sm",
        block_info_text_size="*text_xs",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="*neutral_400",
        block_padding="0px",
        input_background_fill="white",
        input_background_fill_dark="*neutral_800",
        input_border_color="*neutral_300",
        input_border_color_dark="*neutral_700",
        input_border_color_focus="*primary_600",
        input_border_color_focus_dark="*primary_400",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        input_shadow="none",
        input_shadow_focus="none",
        input_text_size="*text_md",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_hover_dark="*primary_700",
        button_primary_text_color="white",
        button_primary_text_color_dark="white",
        button_secondary_background_fill="white",
        button_secondary_background_fill_dark="*neutral_800",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="*neutral_700",
        button_border_width="1px",
        slider_color="*primary_600",
        slider_color_dark="*primary_400",
        code_background_fill="*neutral_100",
        code_background_fill_dark="*neutral_950",
        layout_gap="16px",
    )
