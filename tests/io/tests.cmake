hpot_add_test(io/hdf5_file SOURCE ${CMAKE_CURRENT_LIST_DIR}/hdf5_file_test.cpp LIBRARIES hpot_hdf5)

hpot_add_test(io/nifti SOURCE ${CMAKE_CURRENT_LIST_DIR}/nifti_test.cpp LIBRARIES ZLIB::ZLIB)
hpot_add_test(io/image SOURCE ${CMAKE_CURRENT_LIST_DIR}/image_test.cpp LIBRARIES ZLIB::ZLIB)
hpot_add_test(io/jpeg SOURCE ${CMAKE_CURRENT_LIST_DIR}/jpeg_test.cpp LIBRARIES JPEG::JPEG)
hpot_add_test(io/tables SOURCE ${CMAKE_CURRENT_LIST_DIR}/tables_test.cpp)
hpot_add_test(io/measure_file SOURCE ${CMAKE_CURRENT_LIST_DIR}/measure_file_test.cpp)
hpot_add_test(io/picture SOURCE ${CMAKE_CURRENT_LIST_DIR}/picture_test.cpp)
hpot_add_test(io/cloud_file SOURCE ${CMAKE_CURRENT_LIST_DIR}/cloud_file_test.cpp LIBRARIES ZLIB::ZLIB)
