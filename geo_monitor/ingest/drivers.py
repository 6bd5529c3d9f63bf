"""GDAL's drivers that no upload ever reaches: everything but the three that are handed files, by name.

GDAL has no list of what is allowed, only one of what is left out (`GDAL_SKIP`), so the names are written down; a test
holds them against what the installed libraries offer.
"""

from __future__ import annotations

KEPT = ("ESRI Shapefile", "FlatGeobuf", "GTiff", "MEM", "Memory")
_NAMES = """
    AAIGrid, ACE2, ADBC, ADRG, AIG, AirSAR, AIVector, AmigoCloud, Arrow, AVCBin, AVCE00, AVIF, BAG, BIGGIF, BLX,
    BMP, BSB, BT, BYN, CAD, CALS, Carto, CEOS, Cloudant, COASP, COG, COSAR, CouchDB, CPG, CPHD, CSV, CSW, CTable2,
    CTG, DAAS, DERIVED, DGN, DIMAP, DIPEx, DOQ1, DOQ2, DTED, DWG, DXF, ECRGTOC, ECW, EDIGEO, EEDA, EEDAI, EHdr, EIR,
    ELAS, Elasticsearch, ENVI, ERS, ESAT, ESRIC, ESRIJSON, FAST, FileGDB, FIT, GDALG, GenBin, GeoJSON, GeoJSONSeq,
    GeoRSS, GFF, GIF, GML, GMLAS, GNMDatabase, GNMFile, GPKG, GPSBabel, GPX, GRASSASCIIGrid, GRIB, GS7BG, GSAG,
    GSBG, GSC, GSHHG, GTFS, GTI, GTX, GXF, HANA, HDF5, HDF5Image, HEIF, HF2, HFA, HTTP, Idrisi, ILI, ILWIS,
    Interlis, IRIS, ISCE, ISG, ISIS2, ISIS3, JAXAPALSAR, JDEM, JML, JP2ECW, JP2KAK, JP2MrSID, JP2OpenJPEG, JPEG,
    JPEGXL, JSONFG, KEA, KML, KMLSUPEROVERLAY, KRO, L1B, LAN, LCP, Leveller, LIBERTIFF, LIBKML, LOSLAS, LVBAG, MAP,
    MapInfo File, MapML, MBTiles, MFF, MFF2, MiraMonRaster, MiraMonVector, MongoDBv3, MRF, MrSID, MSGN,
    MSSQLSpatial, MVT, MySQL, NAS, NDF, netCDF, NGSGEOID, NGW, NITF, NOAA_B, NSIDCbin, NTv2, NULL, NWT_GRC, NWT_GRD,
    OAPIF, OCI, ODBC, ODS, OGCAPI, OGR_GMT, OGR_PDS, OGR_VRT, OpenFileGDB, OSM, OZI, Parquet, PAux, PCIDSK,
    PCRaster, PDF, PDS, PDS4, PGDUMP, PGeo, PLMOSAIC, PLSCENES, PMTiles, PNG, PNM, PostGISRaster, PostgreSQL, PRF,
    R, Rasterlite, RCM, RIK, RMF, ROI_PAC, RPFTOC, RRASTER, RS2, RST, S102, S104, S111, S57, SAFE, SAGA, SAR_CEOS,
    SDTS, Selafin, SENTINEL2, SGI, SIGDEM, SNAP_TIFF, SNODAS, SOSI, SQLite, SRP, SRTMHGT, STACIT, STACTA, SXF,
    Terragen, TGA, TIL, TileDB, TopoJSON, TSX, USGSDEM, VDV, VFK, VICAR, VRT, WAsP, WCS, WEBP, WFS, WMS, WMTS, XLS,
    XLSX, XODR, XPM, XYZ, Zarr, ZMap
"""
SKIPPED = tuple(" ".join(_NAMES.split()).split(", "))
