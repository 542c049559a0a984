"""How every form looks: fields rendered by templates/includes/field.html, widgets with the look's classes."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.forms import boundfield, renderers, widgets
from django.template import loader


class BoundField(boundfield.BoundField):
    """A form field that wears the look's classes; attributes given by a form's author stay."""

    WIDGET_CLASSES: ClassVar[list[tuple[type[forms.Widget], str]]] = [
        (forms.CheckboxSelectMultiple, ""),
        (forms.RadioSelect, ""),
        (forms.CheckboxInput, "form-check-input"),
        (forms.Select, "form-select"),
        (widgets.Input, "form-control"),
        (forms.Textarea, "form-control"),
    ]

    def build_widget_attrs(self, attrs: dict[str, Any], widget: forms.Widget | None = None) -> dict[str, Any]:
        built = super().build_widget_attrs(attrs, widget)
        worn = widget or self.field.widget
        css = next((css for kind, css in self.WIDGET_CLASSES if isinstance(worn, kind)), "")
        given = str(worn.attrs.get("class", ""))
        if css:
            built["class"] = f"{css} {given}".strip()
        return built

    @property
    def is_check(self) -> bool:
        """One box with its words beside it."""
        return isinstance(self.field.widget, forms.CheckboxInput)


class Renderer(renderers.DjangoTemplates):
    """Django's widgets inside the site's own form and field templates (settings.FORM_RENDERER)."""

    form_template_name = "includes/form.html"
    field_template_name = "includes/field.html"
    bound_field_class = BoundField

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("includes/"):
            return loader.get_template(template_name)
        if template_name in ("django/forms/errors/list/default.html", "django/forms/errors/list/ul.html"):
            return loader.get_template("includes/errors.html")
        return super().get_template(template_name)
