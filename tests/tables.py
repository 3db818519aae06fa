"""Small tables that tests write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sweepmark.config.schema import DatasetConfig
from tiny import dataset_config

if TYPE_CHECKING:
    from pathlib import Path

PASSENGERS = """\
PassengerId,Survived,Pclass,Name,Sex,Age,SibSp,Parch,Ticket,Fare,Cabin,Embarked
1,0,3,"Miller, Mr. John",male,22,1,0,A/5 1,7.25,,S
2,1,1,"Smith, Mrs. Ann (Mary ""May"" Jones)",female,38,1,0,PC 2,71.28,C85,C
3,1,3,"Weaver, Miss. Eve",female,,0,0,310,7.92,,S
4,1,1,"Baker, Mrs. Zoë",female,35,1,0,1138,53.1,C123,
5,0,3,"Cook, Mr. Max",male,4.5,0,2,37,8.05,,Q
6,0,2,"Fisher, Mr. Tom",male,54,0,0,17,51.86,E46,S
"""
"""Made-up passengers in the columns of Kaggle's Titanic file."""


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def csv_config(path: Path | None = None, **values: Any) -> DatasetConfig:
    return DatasetConfig(name="mine", format="csv", path=str(path) if path else None, **values)


def titanic_config(path: Path) -> DatasetConfig:
    return replace(dataset_config("titanic"), path=str(path))
