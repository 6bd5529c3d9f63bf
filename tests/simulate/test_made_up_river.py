"""Made-up rivers are as messy as real ones, and still one network."""

from __future__ import annotations

import pytest
import shapely

from geo_monitor import river, simulate


@pytest.mark.parametrize("seed", range(8))
def test_one_network_out_of_the_pieces(seed: int) -> None:
    from scipy.sparse.csgraph import connected_components

    lines = simulate.river(seed)
    assert lines["river"].str.startswith("模拟").all()
    assert lines.geometry.is_valid.all()
    network = river.build(lines)
    count, _ = connected_components(network.adjacency, directed=False)
    assert count == 1
    reaches = network.reaches
    main = reaches[(reaches["river"] == "模拟江") & reaches["side"].isna()]
    assert 200 <= main["km_to"].max() <= 400
    assert reaches["river"].nunique() >= 4  # three tributaries or more
    assert (reaches["side"].notna()).any()  # and an island


def test_pieces_are_cut_turned_and_gapped() -> None:
    lines = simulate.river(2)
    main = lines[(lines["river"] == "模拟江")]
    assert len(main) >= 8
    mouth = main[main["mouth"].notna()]
    assert len(mouth) == 1
    whole = shapely.line_merge(shapely.union_all(lines.geometry.to_numpy()))
    assert len(shapely.get_parts(whole)) > 1  # not joined as drawn


def test_equal_seeds_equal_lines() -> None:
    one, two = simulate.river(3), simulate.river(3)
    assert (one.geometry.to_wkb() == two.geometry.to_wkb()).all()
    assert not simulate.river(4).geometry.iloc[0].equals(one.geometry.iloc[0])
